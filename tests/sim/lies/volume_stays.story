# A volume that libvirt says is gone is still there.
seed 7
calm
lie volume-stays
vm at-ms=1000 owner=0 writes=0 applications=1
breaks ends
