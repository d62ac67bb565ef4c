"""Assembles Carillon: every blueprint of the API and of the workers."""

from chalice.app import Chalice

from chalicelib.api.http.endpoint import CORS
from chalicelib.api.registry import RESOURCES
from chalicelib.dashboard import routes
from chalicelib.workers import clock, jobs, receipts, steps, webhooks
from chalicelib.workers import dead_letters as deadletters
from chalicelib.workers import events as event_workers

app = Chalice(app_name="carillon", configure_logs=False)
app.api.cors = CORS
for module in RESOURCES:
    app.register_blueprint(module.blueprint)
app.register_blueprint(routes.blueprint)
for worker in (steps, jobs, event_workers, receipts, webhooks, clock, deadletters):
    app.register_blueprint(worker.blueprint)
