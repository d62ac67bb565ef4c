"""Lambda functions, one module per trigger: read the event, call a use case, and answer as the trigger expects.

Lambda imports the module alone and never `app.py`, so no worker may depend on the assembled app.
"""

import gc

#: Imported modules are never garbage. With the default threshold Python runs about thirty collections during a cold
#: start, which take 7 % of it. With this number of objects (30 MB at most) it collects rarely, and after the start.
gc.set_threshold(100_000)
