"""Collections: who may read and write what."""
