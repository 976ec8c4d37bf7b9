"""LoRAs that people have: where they lie, what their files say, their numbers. Torch in ``read`` alone."""
