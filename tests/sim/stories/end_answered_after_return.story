# The call that ends a domain is answered that its connection was lost, after libvirt had said on the next one that it is
# back: nothing asked for the end once more, and the domain of a destroyed VM ran on.
seed 40720
calm
vm at-ms=3412
vm at-ms=12052
vm at-ms=17878 users-fail=1
vm at-ms=5930 applications=1
at 19504 destroyed vm=2 force=1
at 20593 libvirt-slow for-ms=9296
at 24446 libvirt-away for-ms=121
