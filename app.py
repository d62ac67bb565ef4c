"""Assembles Carillon: every blueprint of the API and of the workers."""

from chalice.app import Chalice

from chalicelib.api import campaigns, channels, contacts, flows, imports, messages, system, templates
from chalicelib.api._http import CORS
from chalicelib.workers import clock, deadletters, jobs, steps

app = Chalice(app_name="carillon", configure_logs=False)
app.api.cors = CORS
for module in (system, channels, templates, contacts, imports, campaigns, flows, messages):
    app.register_blueprint(module.blueprint)
for worker in (steps, jobs, clock, deadletters):
    app.register_blueprint(worker.blueprint)
