{
  "targets": [{
    "target_name": "braid",
    "sources": ["braid.c"],
    "defines": ["_GNU_SOURCE"],
    "cflags": ["<!@(pkg-config --cflags braid)"],
    "libraries": ["<!@(pkg-config --libs braid)"]
  }]
}
