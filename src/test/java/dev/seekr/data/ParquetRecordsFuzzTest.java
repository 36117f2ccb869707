package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.nio.file.Path;

/** A table in Parquet, through the library that reads it. */
class ParquetRecordsFuzzTest extends FuzzTarget {
  ParquetRecordsFuzzTest() {
    super("train.parquet", Exit.DATA);
  }

  /** The library begins with buffers of its own; a page may have 64 MiB. */
  @Override
  protected long always() {
    return 256 << 20;
  }

  @Override
  protected Object read(Path file) {
    try {
      return Sound.examples(file);
    } catch (Failure refused) {
      // The library reads columns at once: which of several faults it tells is a matter of luck.
      String message = refused.getMessage().replaceFirst("; after row .*", "");
      throw new Failure(refused.exit, message);
    }
  }
}
