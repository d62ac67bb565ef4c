"""The credentials by which the local providers know their customers; they open nothing but a laptop's own processes."""

import base64

#: What the secret of a local Twilio channel holds. Any account sid will do.
TWILIO = {"authToken": "local-twilio-token"}
#: What the secret of a local WhatsApp channel by Meta holds.
META = {"accessToken": "local-meta-token", "appSecret": "local-meta-app-secret", "verifyToken": "local-meta-verify"}
#: The secret of a webhook channel that writes to `/webhook` of the local providers.
WEBHOOK = "whsec_" + base64.b64encode(b"local-webhook-secret-000").decode()
