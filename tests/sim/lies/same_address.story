# Every domain has the same address.
seed 7
calm
lie same-address
vm at-ms=1000 owner=0 writes=0 applications=1
vm at-ms=1200
breaks one-address
