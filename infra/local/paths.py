"""The addresses by which the processes of the local stack talk to each other."""

#: Answers 200 when API, queues, workers and clock are up.
HEALTH = "/_local/health"
#: Tells AWS to save now, before the supervisor says that the stack is up.
SAVE = "/_local/save"
#: Ends the long polls of workers that were told to stop.
RELEASE = "/_local/release"
