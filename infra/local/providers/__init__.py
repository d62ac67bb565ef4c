"""The providers that no emulator knows, on this machine: their documented wire, an outbox, signed callbacks, events."""
