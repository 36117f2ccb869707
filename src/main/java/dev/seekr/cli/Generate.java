package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.backends.Backends;
import dev.seekr.config.RunConfig;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.model.Generator;
import dev.seekr.ops.Ops;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Continues prompts greedily. */
@Command(
    name = "generate",
    description = "Continues each prompt greedily, up to the model's end of sequence.")
final class Generate implements Runnable {
  private static final int MOST_TOKENS = 1 << 20;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "Model folder as Hugging Face stores it.")
  private String model;

  @Parameters(
      index = "1..*",
      paramLabel = "PROMPT",
      description = "Prompts; without any, one is read from stdin.")
  private List<String> prompts = List.of();

  @Option(
      names = "--max-new-tokens",
      description = "Most tokens to generate; default ${DEFAULT-VALUE}.",
      defaultValue = "64")
  private int maxNewTokens;

  @Option(
      names = "--bos",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "Begin with the model's BOS token; default on.")
  private boolean bos;

  @Option(
      names = "--ignore",
      split = ",",
      paramLabel = "FIELD",
      description = "Fields of the model's files to pass over, as model.ignore.")
  private List<String> ignored = List.of();

  @Mixin private BackendOptions backend;

  @Override
  public void run() {
    if (maxNewTokens < 1 || maxNewTokens > MOST_TOKENS) {
      throw new ParameterException(
          spec.commandLine(),
          "--max-new-tokens is %d; expected 1 to %d".formatted(maxNewTokens, MOST_TOKENS));
    }
    PrintWriter out = spec.commandLine().getOut();
    List<String> texts = prompts.isEmpty() ? List.of(stdin()) : prompts;
    try (Ops ops = Backends.open(backend.apply(RunConfig.DEFAULT.run()));
        var lm = LanguageModel.load(Path.of(model), Set.copyOf(ignored), ops)) {
      var ids = texts.stream().map(t -> tokens(lm, t)).toList();
      lm.beyond(ids, maxNewTokens)
          .ifPresent(w -> spec.commandLine().getErr().println("seekr: " + w));
      var answers =
          new Generator(lm.model())
              .generate(ids, maxNewTokens, new HashSet<>(lm.model().config.eos()));
      for (int[] answer : answers) out.println(lm.tokenizer().decode(answer));
      out.flush();
    }
  }

  private int[] tokens(LanguageModel lm, String text) {
    int[] ids = lm.tokenizer().encode(text);
    int first = lm.model().config.bos();
    if (bos && first >= 0) {
      int[] with = new int[ids.length + 1];
      with[0] = first;
      System.arraycopy(ids, 0, with, 1, ids.length);
      ids = with;
    }
    if (ids.length == 0)
      throw Failure.data("the prompt has no tokens; give some text, or leave BOS on");
    return lm.prompts() == null ? ids : lm.prompts().before("", ids);
  }

  private static String stdin() {
    try {
      return new String(System.in.readAllBytes(), StandardCharsets.UTF_8).stripTrailing();
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, "stdin cannot be read: " + e, e);
    }
  }
}
