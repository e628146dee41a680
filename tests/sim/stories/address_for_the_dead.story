# libvirtd pins an address for a kilnd that was killed, after the next one, which ended the VM, had it taken back: it stayed
# pinned for nobody.
seed 237433
vm at-ms=1047
at 1124 libvirt-slow for-ms=3000
at 2051 kilnd-killed points=6 down-ms=500
at 3367 destroyed vm=0 force=1
