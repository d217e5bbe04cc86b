"""Inference, facts, rules and the pipeline."""
