package dev.seekr.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.disk.Fields;
import dev.seekr.model.LlamaConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A trace.json: the settings of a whole run, what each step lost, and the heads that were selected.
 *
 * @param heads [m][2] as (layer, head)
 */
record Trace(Path file, RunConfig settings, List<Step> steps, int[][] heads) {
  private static final int MOST = Integer.MAX_VALUE;

  /**
   * One step.
   *
   * @param rehearsal whether it is of replayed samples; else there is a loss alone
   */
  record Step(boolean rehearsal, double loss, double replay, double logits, double attention) {
    private static Step read(Fields step) {
      double loss = step.number("loss");
      return switch (step.text("kind")) {
        case "new" -> new Step(false, loss, 0, 0, 0);
        case "replay" ->
            new Step(true, loss, step.number("replay"), step.number("ld"), step.number("attn"));
        default -> throw step.wrong("kind", "new or replay");
      };
    }
  }

  /** Throws Failure (65, 66) where it cannot be read or does not fit the model. */
  static Trace read(Path file, LlamaConfig config) {
    Fields json = Fields.read(file);
    RunConfig settings = settings(json.section("hyper"));
    List<Step> steps = json.sections("steps").stream().map(Step::read).toList();
    int[][] heads = json.lists("selected_heads", 0, MOST);
    for (int[] head : heads)
      if (head.length != 2 || head[0] >= config.L() || head[1] >= config.heads().NH())
        throw json.wrong("selected_heads", "pairs of a layer and a head");
    return new Trace(file, settings, steps, heads);
  }

  private static RunConfig settings(Fields hyper) {
    String variant = hyper.text("variant");
    if (!List.of("official", "paper").contains(variant))
      throw hyper.wrong("variant", "official or paper");
    double[] betas = betas(hyper);
    var settings = new ArrayList<String>();
    for (String part : List.of("layer", "head", "query"))
      settings.add(
          "method.seekr.%s=%d"
              .formatted(
                  part.equals("query") ? "queries" : part + "s",
                  hyper.whole(part + "_budget", 0, MOST)));
    settings.add("train.micro_tokens=" + MOST);
    for (String name : List.of("lr", "eps", "weight_decay"))
      settings.add("train.%s=%s".formatted(name, hyper.number(name)));
    settings.addAll(List.of("train.beta1=" + betas[0], "train.beta2=" + betas[1], "train.clip=0"));
    double lambda1 = 1 - hyper.number("logits_weight"), lambda2 = hyper.number("attn_weight");
    try {
      return Golden.config(
          variant.equals("official") ? Variant.released : Variant.paper,
          lambda1,
          lambda2,
          settings.toArray(String[]::new));
    } catch (Failure outside) {
      throw Failure.data("%s: %s", hyper.where(), outside.getMessage());
    }
  }

  private static double[] betas(Fields hyper) {
    JsonNode betas = hyper.json().path("betas");
    if (betas.size() != 2 || !betas.path(0).isNumber() || !betas.path(1).isNumber())
      throw hyper.wrong("betas", "two numbers");
    return new double[] {betas.get(0).doubleValue(), betas.get(1).doubleValue()};
  }
}
