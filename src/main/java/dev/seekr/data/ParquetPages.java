package dev.seekr.data;

import dev.hardwood.metadata.ColumnChunk;
import dev.hardwood.metadata.FileMetaData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The footer of a Parquet file and the headers of its pages, walked before the file is read: the
 * library that reads it allocates what lengths ask for, waits forever for pages that end beyond
 * their column, and makes up as many rows of nothing as the file says there are.
 *
 * <p>A header is a struct of Thrift's compact protocol, of which three fields count here.
 */
final class ParquetPages {
  private static final int MOST_BYTES = 64 << 20, DEEPEST = 16;

  /** Rows that there may be of nothing, and for each byte of all columns: texts differ. */
  private static final long FEW_ROWS = 1 << 12, MOST_ROWS = 8;

  /** Fields of a page's header. */
  private static final int UNCOMPRESSED = 2, COMPRESSED = 3, DATA = 5, DATA_2 = 8;

  private final ByteBuffer bytes;
  private long uncompressed, compressed, values; // of the header at hand; -1: not there
  private long held; // bytes of all pages, uncompressed

  private ParquetPages(ByteBuffer bytes) {
    this.bytes = bytes;
  }

  /**
   * Does nothing where what the file ends with is a struct that holds all that it says it holds;
   * its length and PAR1 are behind it.
   *
   * @throws IOException otherwise
   */
  static void requireFooter(ByteBuffer file) throws IOException {
    int end = file.limit() - 8;
    if (end < 0) throw new IOException("too short a file");
    int length = file.duplicate().order(ByteOrder.LITTLE_ENDIAN).getInt(end);
    if (length < 0
        || length > end
        || !new ParquetPages(file.slice(end - length, length)).header(-1, 0))
      throw new IOException("what it ends with does not say what it holds");
  }

  /**
   * How many rows the file has, where all pages lie within their columns and hold the values that
   * those have.
   *
   * @throws IOException saying which column is otherwise
   */
  static long rows(ByteBuffer file, FileMetaData all) throws IOException {
    long rows = 0;
    for (var group : all.rowGroups()) {
      long held = 0;
      for (ColumnChunk column : group.columns()) {
        long from = column.chunkStartOffset(), size = column.metaData().totalCompressedSize();
        String path = column.metaData().pathInSchema().toString();
        if (from < 0 || size < 0 || size > file.limit() || from > file.limit() - size)
          throw new IOException("column " + path + " lies beyond the file");
        var pages = new ParquetPages(file.slice((int) from, (int) size));
        if (!pages.hold(column.metaData().numValues()))
          throw new IOException("the pages of column " + path + " are not as their headers say");
        held += pages.held;
      }
      if (group.numRows() < 0 || group.numRows() > FEW_ROWS + MOST_ROWS * held)
        throw new IOException(
            "there are said to be %d rows in %d bytes".formatted(group.numRows(), held));
      rows += group.numRows();
    }
    return rows;
  }

  private boolean hold(long expected) {
    long found = 0;
    while (found < expected || bytes.hasRemaining()) {
      uncompressed = compressed = values = -1;
      if (!header(0, 0)) return false;
      if (compressed < 0 || compressed > bytes.remaining()) return false;
      if (uncompressed < 0 || uncompressed > MOST_BYTES) return false;
      bytes.position(bytes.position() + (int) compressed);
      found += Math.max(0, values);
      held += uncompressed;
    }
    return expected >= 0;
  }

  /**
   * Goes through a struct.
   *
   * @param within the field of the page's header that it is; 0: the header itself
   * @return whether it ends before the bytes do
   */
  private boolean header(int within, int depth) {
    if (depth > DEEPEST) return false;
    for (int field = 0; bytes.hasRemaining(); ) {
      int head = bytes.get() & 0xFF, type = head & 0xF;
      if (head == 0) return true;
      field = head >> 4 == 0 ? (int) signed() : field + (head >> 4);
      if (within == 0 && type == 12) {
        if (!header(field, depth + 1)) return false;
      } else if (type == 5) {
        keep(within, field, signed());
      } else if (!skip(type, depth)) return false;
    }
    return false;
  }

  private void keep(int within, int field, long number) {
    if (within == 0 && field == UNCOMPRESSED) uncompressed = number;
    if (within == 0 && field == COMPRESSED) compressed = number;
    if ((within == DATA || within == DATA_2) && field == 1) values = number;
  }

  private boolean skip(int type, int depth) {
    return switch (type) {
      case 1, 2 -> true;
      case 3 -> forward(1);
      case 4, 5, 6 -> {
        unsigned();
        yield true;
      }
      case 7 -> forward(8);
      case 8 -> forward(unsigned());
      case 9, 10 -> list(depth);
      case 12 -> header(-1, depth + 1);
      default -> false;
    };
  }

  private boolean list(int depth) {
    if (!bytes.hasRemaining() || depth > DEEPEST) return false;
    int head = bytes.get() & 0xFF, type = head & 0xF;
    long size = head >> 4 == 15 ? unsigned() : head >> 4;
    for (long i = 0; i < size; i++) {
      // Booleans take a byte in lists.
      boolean there = bytes.hasRemaining() && (type < 3 ? forward(1) : skip(type, depth + 1));
      if (!there) return false;
    }
    return size >= 0;
  }

  private boolean forward(long n) {
    if (n < 0 || n > bytes.remaining()) return false;
    bytes.position(bytes.position() + (int) n);
    return true;
  }

  /** A number of seven bits a byte; what ends too early ends the header too. */
  private long unsigned() {
    long number = 0;
    for (int shift = 0; shift < 64 && bytes.hasRemaining(); shift += 7) {
      byte b = bytes.get();
      number |= (long) (b & 0x7F) << shift;
      if (b >= 0) return number;
    }
    return -1;
  }

  private long signed() {
    long number = unsigned();
    return number >>> 1 ^ -(number & 1);
  }
}
