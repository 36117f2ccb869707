package dev.seekr.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * The records of a file, whatever kind it is of: JSON (an array, or one object), JSON lines, CSV or
 * TSV with a heading, Parquet; all but Parquet also by gzip. A record is a map from field to value,
 * and a value a String, a {@link Literal}, a List, a Map or null.
 */
final class RecordFile {
  /** Ends of names that are read; those of texts also with .gz behind. */
  static final List<String> KINDS = List.of("json", "jsonl", "ndjson", "csv", "tsv", "parquet");

  /** A value that is no text: a number, or true, false, NaN or what else a file may hold. */
  record Literal(String text, boolean number) {
    @Override
    public String toString() {
      return text;
    }
  }

  /** Gets what is in a file. */
  interface Sink {
    /**
     * @param place as "record 3" or "line 17"
     * @param value a Map where all is well
     */
    void record(String place, Object value);

    /** A record that could not be read at all; the next one can. */
    void bad(String place, String fault);
  }

  private RecordFile() {}

  /** The kind that a name tells, or null. */
  static String kind(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    String plain = lower.endsWith(".gz") ? lower.substring(0, lower.length() - 3) : lower;
    String kind = plain.substring(plain.lastIndexOf('.') + 1);
    boolean zipped = plain != lower;
    return KINDS.contains(kind) && !(zipped && kind.equals("parquet")) ? kind : null;
  }

  /**
   * Reads all records.
   *
   * @throws Failure input (66) where the file cannot be read; data (65), with the place, where it
   *     is malformed
   */
  static void read(Path file, Sink sink) {
    if (!Files.isRegularFile(file)) throw Failure.input("%s: no such file", file);
    String kind = kind(file.getFileName().toString());
    try {
      switch (kind) {
        case "csv" -> CsvRecords.read(file, ',', sink);
        case "tsv" -> CsvRecords.read(file, '\t', sink);
        case "parquet" -> ParquetRecords.read(file, sink);
        case null, default -> JsonRecords.read(file, kind, sink);
      }
    } catch (JsonProcessingException e) {
      // Breaches of the parser's own limits come without a place.
      var at = e.getLocation();
      String place = at == null ? "" : ":%d:%d".formatted(at.getLineNr(), at.getColumnNr());
      String expected =
          kind != null && kind.endsWith("sv") ? kind.toUpperCase(Locale.ROOT) : "JSON";
      throw Failure.data(
          "%s%s: expected %s, found: %s", file, place, expected, e.getOriginalMessage());
    } catch (CharacterCodingException e) {
      throw Failure.data("%s: expected UTF-8, found bytes that are not", file);
    } catch (ZipException | EOFException e) {
      throw Failure.data("%s: expected gzip, found: %s", file, Reading.reason(e));
    } catch (IOException e) {
      throw new Failure(Failure.Exit.INPUT, file + ": cannot be read: " + Reading.reason(e), e);
    }
  }

  /** The text of a file, without the mark of the order of bytes that may stand before it. */
  static BufferedReader text(Path file) throws IOException {
    InputStream bytes = Files.newInputStream(file);
    try {
      String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
      if (name.endsWith(".gz")) bytes = new GZIPInputStream(bytes);
      // A decoder of its own reports what is not UTF-8.
      var in =
          new BufferedReader(new InputStreamReader(bytes, StandardCharsets.UTF_8.newDecoder()));
      in.mark(1);
      if (in.read() != '\uFEFF') in.reset();
      return in;
    } catch (IOException e) {
      bytes.close();
      throw e;
    }
  }
}
