package dev.seekr.config;

import dev.seekr.Failure;
import java.util.ArrayList;
import java.util.List;

/**
 * Every knob of a run. Read from YAML with {@code key=value} overrides by {@link ConfigReader}; the
 * defaults are the paper's (appendix B and section 4) unless a comment says otherwise. A null means
 * "choose": the comment says how.
 */
public record RunConfig(Model model, Data data, Method method, Train train, Eval eval, Run run) {

  public static final RunConfig DEFAULT =
      new RunConfig(
          Model.DEFAULT, Data.DEFAULT, Method.DEFAULT, Train.DEFAULT, Eval.DEFAULT, Run.DEFAULT);

  /**
   * This, when it says what to train, on what, and where to; else a {@link Failure} that says all
   * that is missing.
   */
  public RunConfig requireTrainable() {
    return require(true);
  }

  /**
   * This, when it names a model and tasks; else a {@link Failure} that says all that is missing.
   */
  public RunConfig requireEvaluable() {
    return require(false);
  }

  private RunConfig require(boolean out) {
    var missing = new ArrayList<String>();
    if (out && run.out == null) {
      missing.add("run.out is not set: the folder to make for the run");
    }
    if (model.path == null) {
      missing.add("model.path is not set: the folder of the model to train");
    }
    if (data.root == null) {
      missing.add("data.root is not set: the folder that holds the tasks' folders");
    }
    if (data.tasks == null && data.order == 0) {
      missing.add(
          "data.tasks is not set, nor data.order: name the tasks in training order, or an order from 1 to 4");
    }
    if (data.tasks != null && data.order != 0) {
      missing.add("data.tasks and data.order are both set: give one of them");
    }
    if (method.l2p.picks > method.l2p.pool) {
      missing.add(
          "method.l2p.picks is %d, but method.l2p.pool has %d prompts"
              .formatted(method.l2p.picks, method.l2p.pool));
    }
    if (!missing.isEmpty()) {
      throw new Failure(Failure.Exit.CONFIG, String.join("\n", missing));
    }
    return this;
  }

  /** How a model's weights begin. */
  public enum Init {
    pretrained,
    random
  }

  /**
   * @param path Hugging Face folder: config.json, tokenizer.json and, unless init is random,
   *     safetensors
   * @param save element type that saved models are stored in: f32, bf16 or f16
   */
  public record Model(String path, Init init, String save) {
    static final Model DEFAULT = new Model(null, Init.pretrained, "f32");
  }

  /** Which tokens are trained on. */
  public enum LossOn {
    answer,
    all
  }

  /** What becomes of a record without a prompt or an answer: it ends the run, or is left out. */
  public enum BadRecords {
    fail,
    skip
  }

  /**
   * @param root folder that holds one folder a task, with train.json and test.json
   * @param tasks task folders in training order; or null when {@code order} is given
   * @param order 1 to 4: the paper's task orders (Table 5); 0: {@code tasks}
   * @param maxPrompt tokens of BOS and prompt kept, cut on the left
   * @param maxAnswer tokens of answer and EOS kept, cut on the right
   * @param bos begin every sequence with the model's BOS token
   * @param lossOn answer: targets are the answer and EOS; all: every token but the first
   * @param trainLimit at most this many training samples a task (0: all)
   * @param testLimit at most this many test samples a task (0: all)
   * @param badRecords what a record without a prompt or an answer does
   */
  public record Data(
      String root,
      List<String> tasks,
      int order,
      int maxPrompt,
      int maxAnswer,
      boolean bos,
      LossOn lossOn,
      int trainLimit,
      int testLimit,
      BadRecords badRecords) {
    static final Data DEFAULT =
        new Data(null, null, 0, 1024, 512, true, LossOn.answer, 0, 0, BadRecords.fail);
  }

  /** The continual-learning methods. */
  public enum MethodName {
    seqft,
    ewc,
    lwf,
    lora,
    olora,
    l2p,
    pp,
    lfpt5,
    replay,
    derpp,
    seekr,
    mtl
  }

  /**
   * @param replayRatio share of each finished task's training samples that is kept
   * @param replaySamples samples kept of each finished task; 0: by replayRatio
   * @param lambda1 weight of the labels on replayed samples; 1 - lambda1 is that of the stored
   *     logits (paper Eq. 13)
   * @param bufferDtype f16 or f32: what stored logits and attention rows are kept in, also those of
   *     lwf
   */
  public record Method(
      MethodName name,
      double replayRatio,
      int replaySamples,
      double lambda1,
      String bufferDtype,
      Derpp derpp,
      Seekr seekr,
      Ewc ewc,
      Lwf lwf,
      Lora lora,
      OLora olora,
      Prompt prompt,
      Pp pp,
      L2p l2p,
      Lfpt5 lfpt5) {
    static final Method DEFAULT =
        new Method(
            MethodName.seekr,
            0.01,
            0,
            0.5,
            "f16",
            Derpp.DEFAULT,
            Seekr.DEFAULT,
            Ewc.DEFAULT,
            Lwf.DEFAULT,
            Lora.DEFAULT,
            OLora.DEFAULT,
            Prompt.DEFAULT,
            Pp.DEFAULT,
            L2p.DEFAULT,
            Lfpt5.DEFAULT);
  }

  /** What DER++ compares stored logits by: kl as paper Eq. 3, mse as Buzzega et al. 2020. */
  public enum LogitDistance {
    kl,
    mse
  }

  /** DER++: alpha weighs the stored logits, beta the labels of replayed samples. */
  public record Derpp(double alpha, double beta, LogitDistance distance) {
    static final Derpp DEFAULT = new Derpp(0.5, 0.5, LogitDistance.kl);
  }

  /** Which of two definitions SEEKR follows where the paper's text and its released code differ. */
  public enum Variant {
    paper,
    released
  }

  /** What tells which heads matter: the product of both scores, one alone, or chance. */
  public enum HeadChoice {
    both,
    sensitivity,
    forgettability,
    random
  }

  /**
   * @param lambda2 weight of the attention distillation; null: 1e3 below 5 % replay, else 1e2
   * @param layers B_L; null: 24 of 32 layers, scaled to the model
   * @param heads B_H; null: 128 of 1024 heads, scaled to the model
   * @param queries B_T, rows sampled of each replay sample
   * @param choice what heads are chosen by; all but both are ablations with the same budgets
   */
  public record Seekr(
      Variant variant,
      Double lambda2,
      Integer layers,
      Integer heads,
      int queries,
      HeadChoice choice) {
    static final Seekr DEFAULT = new Seekr(Variant.paper, null, null, null, 100, HeadChoice.both);
  }

  /**
   * Elastic weight consolidation (Kirkpatrick et al. 2017).
   *
   * @param lambda weight of the penalty, large because F is a mean of squared gradients; 0: off
   * @param gamma what remains of the Fisher information of earlier tasks when one is finished
   * @param samples training samples the Fisher information of a task is estimated on; 0: all
   */
  public record Ewc(double lambda, double gamma, int samples) {
    static final Ewc DEFAULT = new Ewc(1e4, 1, 0);
  }

  /** Where the previous model's logits come from: computed once and stored, or computed anew. */
  public enum LogitCache {
    disk,
    none
  }

  /**
   * Learning without forgetting (Li and Hoiem 2017).
   *
   * @param lambda weight of the previous model's logits; 0: off
   * @param cache disk: logits of the task's samples, stored while it is trained; none: a second
   *     model in memory computes them for each batch
   */
  public record Lwf(double lambda, LogitCache cache) {
    static final Lwf DEFAULT = new Lwf(1, LogitCache.disk);
  }

  /**
   * Low-rank adapters (Hu et al. 2021), for lora and olora; the defaults are O-LoRA's.
   *
   * @param rank r, rows of A
   * @param alpha the scale is alpha / rank
   * @param targets adapted projections of every layer: q_proj, k_proj, v_proj, o_proj, gate_proj,
   *     up_proj, down_proj
   * @param lr learning rate of adapters; null: train.lr
   */
  public record Lora(int rank, double alpha, List<String> targets, Double lr) {
    static final Lora DEFAULT = new Lora(8, 32, List.of("q_proj", "v_proj"), null);
  }

  /** O-LoRA (Wang et al. 2023): lambda weighs the overlap with the adapters of earlier tasks. */
  public record OLora(double lambda) {
    static final OLora DEFAULT = new OLora(0.5);
  }

  /**
   * Soft prompts (Lester et al. 2021), for l2p, pp and lfpt5.
   *
   * @param length rows of a prompt
   * @param lr learning rate of what is trained of them; null: train.lr
   */
  public record Prompt(int length, Double lr) {
    static final Prompt DEFAULT = new Prompt(10, null);
  }

  /**
   * Progressive prompts (Razdaibiedina et al. 2023).
   *
   * @param hidden width of the residual network that a prompt comes from while it is trained; 0:
   *     none
   * @param byTask a test prompt is answered with the prompts its own task was learnt with, as if
   *     the task were known; else with all
   */
  public record Pp(int hidden, boolean byTask) {
    static final Pp DEFAULT = new Pp(64, false);
  }

  /**
   * Learning to prompt (Wang et al. 2022).
   *
   * @param pool prompts in the pool
   * @param picks prompts that go before an input
   * @param lambda weight of the loss that draws keys to the queries they were chosen for
   * @param penalty whether prompts that earlier tasks chose often are chosen less in training
   */
  public record L2p(int pool, int picks, double lambda, boolean penalty) {
    static final L2p DEFAULT = new L2p(10, 3, 0.5, true);
  }

  /**
   * LFPT5 (Qin and Joty 2021).
   *
   * @param lambdaLm weight of learning to generate samples of the task
   * @param lambdaKl weight of what the earlier prompt says of pseudo samples
   * @param topK tokens that a pseudo sample's next token is drawn from
   * @param tries pseudo samples generated for each that is wanted, at most
   */
  public record Lfpt5(double lambdaLm, double lambdaKl, int topK, int tries) {
    static final Lfpt5 DEFAULT = new Lfpt5(0.25, 0.5, 20, 4);
  }

  /** Learning rate over the steps of one task. */
  public enum Schedule {
    constant,
    linear,
    cosine
  }

  /**
   * @param batch sequences in a micro-batch, the unit in which new and replayed data interleave
   * @param accumulate micro-batches in an optimiser step
   * @param microTokens most packed tokens in one forward pass; bounds memory, and a longer sequence
   *     goes alone
   * @param warmup steps of linear warm-up in each task
   * @param minLr what linear and cosine end at, as a share of lr
   * @param clip largest global gradient norm; 0: off
   * @param recompute keep one layer's activations at a time and compute them again in the backward
   *     pass
   */
  public record Train(
      int epochs,
      int batch,
      int accumulate,
      int microTokens,
      double lr,
      Schedule schedule,
      int warmup,
      double minLr,
      double beta1,
      double beta2,
      double eps,
      double weightDecay,
      double clip,
      long seed,
      boolean recompute) {
    static final Train DEFAULT =
        new Train(
            5, 128, 1, 2048, 1e-5, Schedule.constant, 0, 0.0, 0.9, 0.95, 1e-8, 0.0, 1.0, 1, false);
  }

  /**
   * @param batch prompts decoded together
   * @param maxNewTokens most tokens generated for a prompt
   * @param metrics metric of a task by its name, for tasks the benchmark tables do not know:
   *     accuracy_char, accuracy_word, exact, rouge_l, similarity, sari, bleu
   */
  public record Eval(int batch, int maxNewTokens, java.util.Map<String, String> metrics) {
    static final Eval DEFAULT = new Eval(16, 64, java.util.Map.of());
  }

  /** What computes. */
  public enum Backend {
    auto,
    cpu,
    cuda,
    reference
  }

  /** Types that numbers are held or multiplied in. */
  public enum Floats {
    f32,
    bf16
  }

  /**
   * @param out folder the run is written to; must not hold a run
   * @param dtype f32 or, on cuda and reference, bf16: what weights and activations are held and
   *     multiplied in. Beside bf16 an optimizer keeps the weights in f32, and gradients of weights
   *     are f32
   * @param gemm f32 or, on cpu and reference, bf16: what matrices are multiplied in. With bf16
   *     their elements are rounded on the way and products summed in f32; it needs a CPU with
   *     AVX512-BF16
   * @param threads 0: one for each CPU this process may use
   * @param isa auto, avx512, avx2 or scalar
   * @param saveModels save the model after each task
   * @param logEvery write every n-th step to the log
   */
  public record Run(
      String out,
      Backend backend,
      Floats dtype,
      Floats gemm,
      int threads,
      String isa,
      boolean saveModels,
      int logEvery) {
    static final Run DEFAULT =
        new Run(null, Backend.auto, Floats.f32, Floats.f32, 0, "auto", true, 1);
  }
}
