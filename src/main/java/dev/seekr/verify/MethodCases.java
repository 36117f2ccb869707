package dev.seekr.verify;

import dev.seekr.disk.Fields;
import dev.seekr.disk.Reading;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The settings that make a method what a case of the references says. */
final class MethodCases {
  private MethodCases() {}

  /** By case, of constants {@code h}. */
  static Map<String, List<String>> of(Fields h) {
    var cases = new LinkedHashMap<String, List<String>>();
    cases.put("seqft", List.of("method.name=seqft"));
    cases.put("mtl", List.of("method.name=mtl"));
    if (h.number("replay_beta") == 1) cases.put("replay", List.of("method.name=replay"));
    // All that is kept is looked at in each step: what would be drawn of it is not pinned.
    cases.put("agem", List.of("method.name=agem", "method.agem.samples=1000000"));
    for (String distance : List.of("kl", "mse"))
      cases.put(
          "derpp-" + distance,
          List.of(
              "method.name=derpp",
              "method.derpp.alpha=" + h.number("derpp_alpha"),
              "method.derpp.beta=" + h.number("derpp_beta"),
              "method.derpp.distance=" + distance));
    cases.put("ewc", ewc(h, 1));
    cases.put("ewc-fading", ewc(h, h.number("ewc_gamma")));
    cases.put(
        "lwf",
        List.of(
            "method.name=lwf",
            "method.lwf.lambda=" + h.number("lwf_lambda"),
            "method.lwf.temperature=1"));
    cases.put(
        "lwf-temperature",
        List.of(
            "method.name=lwf",
            "method.lwf.lambda=" + h.number("lwf_lambda"),
            "method.lwf.temperature=" + h.number("lwf_temperature"),
            "method.lwf.cache=none"));
    cases.put("lora", lora(h, "lora"));
    cases.put(
        "lwf-lora",
        lora(
            h,
            "lwf",
            "train.parameters=lora",
            "method.lwf.lambda=" + h.number("lwf_lambda"),
            "method.lwf.temperature=1",
            "method.lwf.cache=none"));
    for (String form : List.of("square", "abs"))
      cases.put(
          "olora-" + form,
          lora(
              h,
              "olora",
              "method.olora.lambda=" + h.number("olora_lambda"),
              "method.olora.form=" + form));
    cases.put("l2p", l2p(h, false));
    cases.put("l2p-penalty", l2p(h, true));
    cases.put("pp", prompts(h, "pp", "method.pp.hidden=0"));
    cases.put("pp-mlp", prompts(h, "pp", "method.pp.hidden=" + whole(h, "pp_hidden")));
    cases.put(
        "lfpt5",
        prompts(
            h,
            "lfpt5",
            "method.lfpt5.lambda_lm=" + h.number("lfpt5_lm"),
            "method.lfpt5.lambda_kl=" + h.number("lfpt5_kl")));
    for (String variant : List.of("paper", "released"))
      for (String choice : List.of("both", "sensitivity", "forgettability"))
        cases.put(
            "seekr-" + variant + (choice.equals("both") ? "" : "-" + choice),
            seekr(h, variant, choice));
    return cases;
  }

  /** Forms that no method here has, by case, and why: they are said and not compared. */
  static final Map<String, String> OTHER_FORMS =
      Map.of("pp-swiglu", "prompts come through the original's network alone, as in pp-mlp");

  /** Cases of a folder that have no settings here, and are none of {@link #OTHER_FORMS}. */
  static List<String> unknown(Path folder, Fields h) {
    var known = new HashSet<>(of(h).keySet());
    known.addAll(OTHER_FORMS.keySet());
    return Reading.list(folder).stream()
        .filter(path -> Files.exists(path.resolve("expected.json")))
        .map(path -> path.getFileName().toString())
        .filter(name -> !known.contains(name))
        .toList();
  }

  private static int whole(Fields h, String name) {
    return h.whole(name, 0, Integer.MAX_VALUE);
  }

  private static List<String> ewc(Fields h, double gamma) {
    return List.of(
        "method.name=ewc",
        "method.ewc.lambda=" + h.number("ewc_lambda"),
        "method.ewc.gamma=" + gamma,
        "method.ewc.samples=0");
  }

  private static List<String> lora(Fields h, String method, String... more) {
    var targets = new ArrayList<String>();
    for (var target : h.json().path("targets")) targets.add(target.textValue());
    var settings =
        new ArrayList<>(
            List.of(
                "method.name=" + method,
                "method.lora.rank=" + whole(h, "rank"),
                "method.lora.alpha=" + h.number("lora_alpha"),
                "method.lora.targets=" + targets,
                "method.lora.lr=" + h.number("adapter_lr")));
    settings.addAll(List.of(more));
    return settings;
  }

  private static List<String> prompts(Fields h, String method, String... more) {
    var settings =
        new ArrayList<>(
            List.of(
                "method.name=" + method,
                "method.prompt.length=" + whole(h, "prompt"),
                "method.prompt.lr=" + h.number("prompt_lr")));
    settings.addAll(List.of(more));
    return settings;
  }

  private static List<String> l2p(Fields h, boolean penalty) {
    return prompts(
        h,
        "l2p",
        "method.l2p.pool=" + whole(h, "pool"),
        "method.l2p.picks=" + whole(h, "picks"),
        "method.l2p.lambda=" + h.number("l2p_lambda"),
        "method.l2p.penalty=" + penalty);
  }

  private static List<String> seekr(Fields h, String variant, String choice) {
    return List.of(
        "method.name=seekr",
        "method.lambda1=" + h.number("lambda1"),
        "method.seekr.lambda2=" + h.number("lambda2"),
        "method.seekr.variant=" + variant,
        "method.seekr.choice=" + choice,
        "method.seekr.layers=" + whole(h, "layer_budget"),
        "method.seekr.heads=" + whole(h, "head_budget"),
        "method.seekr.queries=" + whole(h, "query_budget"));
  }
}
