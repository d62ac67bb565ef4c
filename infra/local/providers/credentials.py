"""Credentials that the local providers accept. They give access to processes of this machine only."""

import base64

#: Secret of a local Twilio channel. Any account SID is accepted.
TWILIO = {"authToken": "local-twilio-token"}
#: Secret of a local WhatsApp channel by Meta.
META = {"accessToken": "local-meta-token", "appSecret": "local-meta-app-secret", "verifyToken": "local-meta-verify"}
#: Secret of a webhook channel that sends to `/webhook` of the local providers.
WEBHOOK = "whsec_" + base64.b64encode(b"local-webhook-secret-000").decode()
