"""Core: what every room stands on: errors, whole outputs, locks, digests, seeds, progress, devices, the job."""
