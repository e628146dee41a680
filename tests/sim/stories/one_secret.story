seed 468
vm at-ms=5875 applications=1 mounts-fail=1
vm at-ms=15314
at 3406 kilnd-killed points=44 down-ms=18508
at 36561 libvirt-away for-ms=19246
at 48513 domain-dies vm=1
