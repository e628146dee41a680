# The answer to a start is lost with the connection. When libvirt is back it shows the domain, while the start is asked for
# once more and waits for its address: the VM no longer waits for its turn to boot, and its time to register counts.
seed 9452
vm at-ms=12757 owner=0 writes=0 reads=3 port-taken=1
at 14677 libvirt-away for-ms=110
