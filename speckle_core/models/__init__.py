"""Trained models: train, save, load, convert and judge them."""
