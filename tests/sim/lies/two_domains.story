# A VM is started twice, and both domains run.
seed 7
calm
lie two-domains
vm at-ms=1000 owner=0 writes=0 applications=1
breaks one-domain
