package dev.seekr.data;

import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import dev.seekr.Failure;
import dev.seekr.data.RecordFile.Sink;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;

/** Tables as text, RFC 4180: a heading, then the records; quoted fields may have line breaks. */
final class CsvRecords {
  private static final CsvMapper CSV =
      CsvMapper.builder().enable(CsvParser.Feature.SKIP_EMPTY_LINES).build();

  private CsvRecords() {}

  static void read(Path file, char separator, Sink sink) throws IOException {
    var schema = CsvSchema.emptySchema().withHeader().withColumnSeparator(separator);
    try (var in = RecordFile.text(file);
        MappingIterator<Map<String, Object>> rows =
            CSV.readerForMapOf(String.class).with(schema).readValues(in)) {
      int n = 0;
      while (rows.hasNextValue()) {
        var names = new HashSet<String>();
        for (var column : (CsvSchema) rows.getParser().getSchema())
          if (!names.add(column.getName()))
            throw Failure.data(
                "%s:1: the heading has '%s' twice; expected each name once",
                file, column.getName());
        // Not the line: one record may have several, and the parser does not count those.
        sink.record("record " + ++n, new LinkedHashMap<String, Object>(rows.nextValue()));
      }
    }
  }
}
