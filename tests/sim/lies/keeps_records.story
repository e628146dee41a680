# The disk deletes no record.
seed 7
calm
lie keeps-records
vm at-ms=1000 owner=0 writes=0 applications=1
breaks forgets
