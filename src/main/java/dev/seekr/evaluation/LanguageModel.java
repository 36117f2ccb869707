package dev.seekr.evaluation;

import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.config.ModelSettings;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.ChatTemplate;
import dev.seekr.data.SampleEncoder;
import dev.seekr.data.Task;
import dev.seekr.model.Adapters;
import dev.seekr.model.Generator;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.SoftPrompts;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.tensor.Memory;
import dev.seekr.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A model folder in use: weights and tokenizer, checked against each other.
 *
 * @param prompts soft prompts of the folder, which the model has; null: it has none
 */
public record LanguageModel(
    Path folder, LlamaModel model, Tokenizer tokenizer, SoftPrompts prompts, Memory memory)
    implements AutoCloseable {

  /**
   * Loads a model to answer with. Throws Failure where files are missing, damaged, or do not fit.
   *
   * @param ignored fields of its files that are passed over though they are not known
   */
  public static LanguageModel load(Path folder, Set<String> ignored, Ops ops) {
    return load(
        folder, ignored, ops, Recompute.none, weights -> ModelFolder.load(folder, weights, ops));
  }

  /**
   * Loads the model of a run to train it.
   *
   * @param weights whether it begins with its own weights; else they are zero, to be loaded from
   *     elsewhere
   */
  public static LanguageModel load(RunConfig run, Ops ops, boolean weights) {
    Path folder = Path.of(run.model().path());
    var random = Seeds.of(run.train().seed(), Seeds.Purpose.WEIGHTS);
    Consumer<Weights> fill =
        run.model().init() == ModelSettings.Init.random
            ? w -> w.randomize(random)
            : w -> ModelFolder.load(folder, w, ops);
    var ignored = run.model().ignored();
    var lm = load(folder, ignored, ops, run.train().recompute(), weights ? fill : w -> {});
    if (lm.prompts == null) return lm;
    lm.close();
    throw Failure.config(
        "%s has soft prompts, which training would not heed; model.path must name a model without",
        folder);
  }

  private static LanguageModel load(
      Path folder, Set<String> ignored, Ops ops, Recompute recompute, Consumer<Weights> fill) {
    LlamaConfig config = LlamaConfig.read(folder, ignored);
    Tokenizer tokenizer = Tokenizer.load(folder, ignored);
    tokenizer.within(config.V());
    var memory = new Memory("model");
    var weights = new Weights(config, ops, memory, "weights");
    fill.accept(weights);
    var prompts = SoftPrompts.load(folder, weights, ops, memory);
    var model = new LlamaModel(config, weights, ops, recompute);
    if (prompts != null) model = model.with(Adapters.of(prompts.table()));
    return new LanguageModel(folder, model, tokenizer, prompts, memory);
  }

  /**
   * Continues a text greedily, up to the model's end of sequence, without it. Throws Failure (65)
   * where the text has no tokens.
   *
   * @param most tokens of the answer, 1 or more
   */
  public String generate(String text, int most) {
    var ends = Set.copyOf(model.config.eos());
    var answers = new Generator(model).generate(List.of(tokens(text, true)), most, ends);
    return tokenizer.decode(answers.getFirst());
  }

  /**
   * Token ids of a text, soft prompts before them. Throws Failure (65) where there are none.
   *
   * @param bos whether the model's BOS comes first, if it has one
   */
  public int[] tokens(String text, boolean bos) {
    int[] ids = tokenizer.encode(text);
    int first = model.config.bos();
    if (bos && first >= 0) {
      int[] with = new int[ids.length + 1];
      with[0] = first;
      System.arraycopy(ids, 0, with, 1, ids.length);
      ids = with;
    }
    if (ids.length == 0)
      throw Failure.data("the prompt has no tokens; give some text, or leave BOS on");
    return prompts == null ? ids : prompts.before("", ids);
  }

  /**
   * How text becomes sequences for this model. Throws Failure (65, 78) when BOS or EOS are asked
   * for and not defined.
   */
  public SampleEncoder encoder(DataSettings data) {
    LlamaConfig config = model.config;
    if (config.eos().isEmpty())
      throw Failure.data("%s: config.json has no eos_token_id; sequences must end", folder);
    int eos = config.eos().getFirst();
    if (data.chats()) {
      var chat = ChatTemplate.load(folder, data.chatFile(), tokenizer, config.bos(), eos);
      return new SampleEncoder(tokenizer, data, config.bos(), eos, chat);
    }
    if (data.bos() && config.bos() < 0) {
      throw Failure.config("%s: config.json has no bos_token_id; set data.bos=false", folder);
    }
    return new SampleEncoder(tokenizer, data, config.bos(), eos);
  }

  /**
   * What to say before tasks' test prompts are answered; empty where the model was made for as many
   * positions.
   */
  public Optional<String> beyond(List<Task> tasks, SampleEncoder encoder, int maxNew) {
    return beyond(
        tasks.stream().flatMap(t -> t.test().stream()).map(encoder::prompt).toList(), maxNew);
  }

  /** The same of prompts, with soft ones if there are any. */
  public Optional<String> beyond(List<int[]> prompts, int maxNew) {
    int longest = prompts.stream().mapToInt(p -> p.length).max().orElse(0) + maxNew;
    int most = model.config.maxPositions();
    if (longest <= most) return Optional.empty();
    return Optional.of(
        "warning: a prompt and its answer may have %d tokens; the model was made for %d (max_position_embeddings)"
            .formatted(longest, most));
  }

  @Override
  public void close() {
    model.close();
    tokenizer.close();
    memory.close();
  }
}
