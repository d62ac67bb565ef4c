"""Paths for requests between the processes of the local stack."""

#: Answers 200 when API, queues, workers and clock are up.
HEALTH = "/_local/health"
#: Makes AWS save immediately, before the supervisor reports that the stack is up.
SAVE = "/_local/save"
#: Ends the long polls of workers that are stopping.
RELEASE = "/_local/release"
