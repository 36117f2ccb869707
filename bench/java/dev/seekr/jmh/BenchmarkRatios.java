package dev.seekr.jmh;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.report.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Two files of results side by side: {@code BenchmarkRatios OLD.jsonl NEW.jsonl}. */
public final class BenchmarkRatios {
  private BenchmarkRatios() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: BenchmarkRatios OLD.jsonl NEW.jsonl");
      System.exit(64);
    }
    Map<String, JsonNode> before = read(Path.of(args[0])), after = read(Path.of(args[1]));
    var table = new Table("benchmark", "old ms", "new ms", "old / new");
    after.forEach(
        (name, now) -> {
          JsonNode then = before.get(name);
          if (then == null) return;
          double a = then.get("seconds").asDouble(), b = now.get("seconds").asDouble();
          table.row(name, text("%.4g", a * 1e3), text("%.4g", b * 1e3), text("%.2f", a / b));
        });
    System.out.print(table);
  }

  private static Map<String, JsonNode> read(Path file) throws IOException {
    var results = new LinkedHashMap<String, JsonNode>();
    var json = new ObjectMapper();
    for (String line : Files.readAllLines(file)) {
      JsonNode node = json.readTree(line);
      results.put(node.get("benchmark").asText() + " " + node.get("params"), node);
    }
    return results;
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
