"""Data sets: what people have, read, decoded, checked, shown and packed. Level 3, numpy and Pillow.

pictures.py     one picture, opened with care
sources.py      folders, shards and tables of any origin -> rows and a way to each picture
hub.py          parquet files and saved data sets, by the library `datasets`
batches.py      decoded once, memory-mapped, in batches by number: what training reads
check.py        everything wrong with a data set, near-duplicates, counts
show.py         a contact sheet
pack.py         WebDataset shards or a lean folder
thumbnails.py   atlases of small pictures, which travel with the code
card.py         the README.md of a data set
"""
