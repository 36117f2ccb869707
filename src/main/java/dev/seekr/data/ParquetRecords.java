package dev.seekr.data;

import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.row.PqList;
import dev.hardwood.row.PqMap;
import dev.hardwood.row.PqStruct;
import dev.hardwood.row.StructAccessor;
import dev.seekr.Failure;
import dev.seekr.data.RecordFile.Literal;
import dev.seekr.data.RecordFile.Sink;
import dev.seekr.disk.Reading;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;

/** Parquet: uncompressed, or by snappy, gzip or zstd. The file is held in memory, not mapped. */
final class ParquetRecords {
  private ParquetRecords() {}

  static void read(Path file, Sink sink) throws IOException {
    int n = 0;
    var bytes = ByteBuffer.wrap(Reading.bytes(file));
    try (var reader = open(bytes)) {
      // Without columns the reader has rows without end.
      long all = ParquetPages.rows(bytes, reader.getFileMetaData());
      try (var rows = reader.rowReader()) {
        while (n < all && rows.hasNext()) {
          rows.next();
          sink.record("row " + ++n, fields(rows));
        }
      }
    } catch (Failure e) {
      throw e;
    } catch (IOException | RuntimeException | LinkageError e) { // whatever the library trips over
      throw Failure.data(
          "%s: expected Parquet, uncompressed or by snappy, gzip or zstd; after row %d: %s",
          file, n, e.getMessage() == null ? e : e.getMessage());
    }
  }

  private static ParquetFileReader open(ByteBuffer bytes) throws IOException {
    ParquetPages.requireFooter(bytes);
    return ParquetFileReader.open(InputFile.of(bytes));
  }

  private static LinkedHashMap<String, Object> fields(StructAccessor row) {
    var fields = new LinkedHashMap<String, Object>();
    for (int i = 0; i < row.getFieldCount(); i++)
      fields.put(row.getFieldName(i), row.isNull(i) ? null : value(row.getValue(i)));
    return fields;
  }

  private static Object value(Object found) {
    return switch (found) {
      case null -> null;
      case String text -> text;
      case byte[] bytes -> text(bytes);
      case PqStruct struct -> fields(struct);
      case PqList list -> {
        var items = new ArrayList<Object>();
        for (Object item : list.values()) items.add(value(item));
        yield items;
      }
      case PqMap _ -> new Literal("a map", false);
      case Double d when !Double.isFinite(d) -> new Literal(d.toString(), false);
      case Float f when !Float.isFinite(f) -> new Literal(f.toString(), false);
      case Number number -> new Literal(number.toString(), true);
      default -> new Literal(found.toString(), false);
    };
  }

  /** What older writers call bytes is text nearly always. */
  private static Object text(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return new Literal(bytes.length + " bytes", false);
    }
  }
}
