# kilnd's timers are late.
seed 7
calm
lie late-timers
vm at-ms=1000 silent=1
breaks deadline
