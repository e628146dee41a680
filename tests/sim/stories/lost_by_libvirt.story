# libvirt loses a running domain, and says that there is no such domain for longer than an absence takes to count: its VM was ended
# while its QEMU ran on, and the drive that it had open was free for the next.
seed 56
calm
vm at-ms=19257 owner=2 reads=3
at 35262 domain-lost vm=0 for-ms=47640
