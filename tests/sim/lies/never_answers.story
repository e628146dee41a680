# An attachment is never answered, and so neither is the end that waits behind it.
seed 7
calm
lie never-answers
vm at-ms=1000 owner=0 writes=0 applications=1
breaks waits
