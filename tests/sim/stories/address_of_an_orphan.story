# kilnd was started on an older store: a domain that no record names ran with the address that the next VM was given, and the VM
# was started beside it.
seed 3
calm
vm at-ms=40000
at 15000 libvirt-away for-ms=40000
at 20000 kilnd-stopped down-ms=3000
at 21000 stranger ours=1
