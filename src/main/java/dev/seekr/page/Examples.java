package dev.seekr.page;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Answers that got worse or better between the stage in which a task was learnt and the last one:
 * of each task those whose score moved most.
 */
final class Examples {
  private static final int EACH = 5, LONGEST = 280;
  private static final ObjectMapper JSON = new ObjectMapper();

  private Examples() {}

  /** One test prompt, answered twice. */
  private record Pair(JsonNode then, JsonNode now) {
    double moved() {
      return now.path("score").asDouble() - then.path("score").asDouble();
    }
  }

  /** Markup; empty where a run has no two stages to compare. */
  static String of(RunRecord run) {
    var out = new Markup();
    List<String> tasks = run.scores().tasks();
    int last = run.scores().trained() - 1;
    for (int i = 0; i < last; i++) {
      List<Pair> pairs = pairs(run, i, last, tasks.get(i));
      var moved =
          pairs.stream()
              .filter(p -> Math.abs(p.moved()) > 1e-9)
              .sorted(Comparator.comparingDouble(p -> -Math.abs(p.moved())))
              .limit(EACH)
              .toList();
      long lost = pairs.stream().filter(p -> p.moved() < -1e-9).count();
      long gained = pairs.stream().filter(p -> p.moved() > 1e-9).count();
      if (moved.isEmpty()) continue;
      out.open("details")
          .element(
              "summary", "%s: %d answers lost, %d gained".formatted(tasks.get(i), lost, gained));
      for (Pair pair : moved) show(out, pair, tasks.get(i), tasks.get(last));
      out.close("details");
    }
    return out.toString();
  }

  private static void show(Markup out, Pair pair, String learnt, String last) {
    out.open("dl", "class", "example " + (pair.moved() < 0 ? "lost" : "gained"));
    item(out, "prompt", pair.now.path("prompt").asText());
    item(out, "expected", pair.now.path("answer").asText());
    item(out, "after " + learnt, pair.then.path("prediction").asText());
    item(out, "after " + last, pair.now.path("prediction").asText());
    out.close("dl");
  }

  private static void item(Markup out, String name, String text) {
    out.element("dt", name).element("dd", shortened(text));
  }

  /** The end says more of a prompt than the beginning, which is the task's instruction. */
  private static String shortened(String text) {
    if (text.length() <= LONGEST) return text;
    int from = text.length() - LONGEST;
    if (Character.isLowSurrogate(text.charAt(from))) from++;
    return "… " + text.substring(from);
  }

  private static List<Pair> pairs(RunRecord run, int stage, int last, String task) {
    Path then = run.folder().predictions(stage, task), now = run.folder().predictions(last, task);
    if (!Files.exists(then) || !Files.exists(now)) return List.of();
    List<JsonNode> a = read(then), b = read(now);
    var pairs = new ArrayList<Pair>();
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) pairs.add(new Pair(a.get(i), b.get(i)));
    return pairs;
  }

  private static List<JsonNode> read(Path file) {
    var lines = new ArrayList<JsonNode>();
    for (String line : Reading.text(file).split("\n")) {
      try {
        lines.add(JSON.readTree(line));
      } catch (JsonProcessingException e) {
        throw Failure.data("%s:%d: expected an answer in JSON", file, lines.size() + 1);
      }
    }
    return lines;
  }
}
