# A domain starts with its drives, before any owner came.
seed 7
calm
lie early-drive
vm at-ms=1000 owner=0 writes=0 applications=1
breaks paired-first
