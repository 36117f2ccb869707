package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Example;
import dev.seekr.data.SampleEncoder;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.model.Generator;
import dev.seekr.ops.Ops;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
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
    description = "Generates greedily from each prompt, up to the model's end-of-sequence token.")
final class Generate implements Runnable {
  private static final int MOST_TOKENS = 1 << 20;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "Model folder in Hugging Face format.")
  private String model;

  @Parameters(
      index = "1..*",
      paramLabel = "PROMPT",
      description = "Prompts; without any, one is read from stdin.")
  private List<String> prompts = List.of();

  @Option(
      names = "--max-new-tokens",
      description = "Maximum tokens to generate; default ${DEFAULT-VALUE}.",
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
      names = "--chat",
      arity = "0..1",
      fallbackValue = "template",
      defaultValue = "none",
      paramLabel = "FILE",
      description = "Format each prompt with the model's chat template, or with the one in FILE.")
  private String chat;

  @Option(names = "--json", description = "Print prompts and answers as one JSON object.")
  private boolean json;

  @Option(
      names = "--ignore",
      split = ",",
      paramLabel = "FIELD",
      description = "Fields of the model's files to ignore, as model.ignore.")
  private List<String> ignored = List.of();

  @Mixin private BackendOptions backend;

  private record Answers(List<Answer> answers) {}

  private record Answer(String prompt, String answer) {}

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
      var settings =
          ConfigReader.parse(
                  "",
                  "--chat",
                  List.of("data.chat=" + Quoting.json(chat), "data.max_prompt=1048576"))
              .data();
      var encoder = settings.chats() ? lm.encoder(settings) : null;
      var ids = texts.stream().map(t -> tokens(lm, encoder, t)).toList();
      Set<Integer> ends = new HashSet<>(lm.model().config.eos());
      if (encoder != null) ends = encoder.ends(ends);
      lm.beyond(ids, maxNewTokens)
          .ifPresent(w -> spec.commandLine().getErr().println("seekr: " + w));
      var answers = new Generator(lm.model()).generate(ids, maxNewTokens, ends);
      var said = new ArrayList<Answer>();
      for (int i = 0; i < texts.size(); i++)
        said.add(new Answer(texts.get(i), lm.tokenizer().decode(answers.get(i))));
      if (json) JsonOutput.print(out, new Answers(said));
      else said.forEach(a -> out.println(a.answer));
      out.flush();
    }
  }

  /** {@code encoder}: puts it as a message; null: it is plain text. */
  private int[] tokens(LanguageModel lm, SampleEncoder encoder, String text) {
    if (encoder == null) return lm.tokens(text, bos);
    int[] ids = encoder.prompt(new Example(text, "-"));
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
