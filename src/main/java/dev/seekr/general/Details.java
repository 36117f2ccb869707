package dev.seekr.general;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** What was given to every question, and how it was judged, as JSON. */
public final class Details {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Details() {}

  /** A section a part: its measures, and each question's sample. */
  public static String json(List<SetResult> results) {
    var root = JSON.createObjectNode();
    var tasks = root.putObject("tasks");
    for (SetResult result : results) {
      for (Judged part : result.parts()) {
        var task = tasks.putObject(part.part().name());
        var metrics = task.putObject("metrics");
        for (String measure : result.measures()) metrics.put(measure, part.mean(measure));
        var samples = task.putArray("samples");
        for (int i = 0; i < part.given().size(); i++) {
          var sample = samples.addObject();
          Question question = part.part().questions().get(i);
          sample.put("id", question.id());
          describe(sample, question, part.given().get(i));
          part.verdicts().get(i).forEach(sample::put);
        }
      }
    }
    return root.toPrettyString() + "\n";
  }

  private static void describe(ObjectNode sample, Question question, Given given) {
    switch (question) {
      case Question.Choice choice -> {
        sample.put("target", choice.right());
        sample.set("loglikelihoods", JSON.valueToTree(given.likelihoods()));
        sample.set("greedy", JSON.valueToTree(given.greedy()));
      }
      case Question.Open open -> {
        sample.put("target", open.right().getFirst());
        sample.put("text", given.text());
      }
    }
  }
}
