"""One module per Lambda function: reads the event, calls a use case, answers as the trigger expects.

Lambda imports the module alone, never `app.py`: nothing here may rely on the app being assembled.
"""

import gc

#: What is imported stays. Python would look through it for garbage some thirty times while it grows, for a fifteenth of
#: a cold start; by this many objects (thirty megabytes at most) it does so after the start, and seldom.
gc.set_threshold(100_000)
