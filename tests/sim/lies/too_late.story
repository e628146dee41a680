# A VM runs out of time though nobody but libvirt holds it up.
seed 7
calm
lie never-answers
vm at-ms=1000 owner=1 silent=1
vm at-ms=62000 owner=0 writes=0
breaks progress
