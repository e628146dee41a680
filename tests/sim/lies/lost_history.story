# The disk loses an entry of the history.
seed 7
calm
lie lost-history
vm at-ms=1000 owner=0 writes=0 applications=1
breaks history
