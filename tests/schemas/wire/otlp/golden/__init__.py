"""Records of OTLP made by real producers, and the script that makes them anew."""
