"""The demo: the main job on pictures that come with the product, in one command."""
