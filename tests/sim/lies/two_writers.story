# A drive goes to another VM as well.
seed 7
calm
lie two-writers
vm at-ms=1000 owner=0 writes=0 applications=1
vm at-ms=1200 owner=1 writes=1 applications=1
breaks one-writer
