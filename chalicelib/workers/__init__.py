"""One module per Lambda function: reads the event, calls a use case, answers as the trigger expects.

Lambda imports the module alone, never `app.py`: nothing here may rely on the app being assembled.
"""
