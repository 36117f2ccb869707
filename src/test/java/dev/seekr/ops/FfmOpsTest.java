package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunSettings;
import dev.seekr.config.RunSettings.Backend;
import dev.seekr.config.RunSettings.Floats;
import dev.seekr.ops.ffm.FfmOps;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What can go wrong in a call, and what a backend says about itself. */
class FfmOpsTest {
  private final Memory memory = new Memory("test");
  private final FfmOps ops = Kernels.open(1, "auto");

  @AfterEach
  void close() {
    ops.close();
    memory.close();
  }

  private Tensor floats(long... shape) {
    return memory.allocate("test", DType.F32, shape);
  }

  private Tensor ints(int... values) {
    Tensor t = memory.allocate("test", DType.I32, values.length);
    t.copyFrom(values);
    return t;
  }

  @Test
  void whatTheKernelSaysComesThrough() {
    // Java does not look at eps, the kernel does.
    var failure =
        catchThrowableOfType(
            Failure.class,
            () ->
                ops.rmsnormForward(
                    floats(1, 2), null, floats(1), floats(1, 2), null, floats(2), -1));
    assertThat(failure.exit).isEqualTo(Exit.INTERNAL);
    assertThat(failure).hasMessage("sk_rmsnorm_fwd: eps is -1, not a number >= 0");
  }

  @Test
  void anInstructionSetThatDoesNotExist() {
    var failure = catchThrowableOfType(Failure.class, () -> Kernels.open(1, "mmx"));
    assertThat(failure.exit).isEqualTo(Exit.BACKEND);
    assertThat(failure).hasMessageStartingWith("sk_create: ").hasMessageContaining("mmx");
  }

  @Test
  void heapTensorsAreRefused() {
    assertThatThrownBy(() -> ops.zero(Tensor.of(new float[3])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("F32[3] lies in the Java heap; kernels need memory from Memory.allocate");
  }

  private static Product product(Tensor y, Tensor a, Tensor b) {
    return new Product(y, a, b, false, false, 1, false);
  }

  private AdamWStep step(Tensor m, long step) {
    return new AdamWStep(floats(3), m, floats(3), floats(3), null, step, 1, 0, 0, 0, 0, 1);
  }

  /** Both libraries check alike. */
  @Test
  void shapesThatDoNotFit() {
    for (Ops o : new Ops[] {ops, new ReferenceOps(DType.F32)}) {
      refused(
          "matmul b: F32[3, 4], expected F32[4, 3]",
          () -> o.matmul(product(floats(2, 3), floats(2, 4), floats(3, 4))));
      refused(
          "gather d: F32[2, 3], expected F32[1, 3]",
          () -> o.gather(floats(2, 3), floats(5, 3), ints(0)));
      refused(
          "embedding dx: F32[1, 3], expected F32[2, 3]",
          () -> o.embeddingBackward(floats(5, 3), ints(0, 1), floats(1, 3)));
      refused(
          "rmsnorm y: F32[2, 4]",
          () -> o.rmsnormForward(floats(2, 4), null, floats(2), floats(2, 3), null, floats(3), 0));
      refused(
          "rmsnorm x: null",
          () ->
              o.rmsnormForward(
                  floats(2, 3), null, floats(2), floats(2, 3), floats(2, 3), floats(3), 0));
      var heads = new Ops.Heads(2, 1, 2);
      refused(
          "rope qkv: F32[2, 8], expected F32[1, 8]",
          () -> o.ropeForward(floats(2, 8), ints(3), floats(4, 1), floats(4, 1), heads));
      refused(
          "attention lse: F32[2, 2], expected F32[3, 2]",
          () ->
              o.attentionForward(
                  new Attention(floats(3, 4), floats(2, 2), floats(3, 8), ints(0, 3), heads)));
      refused(
          "NH a positive multiple",
          () ->
              o.attentionForward(
                  new Attention(
                      floats(3, 4),
                      floats(3, 2),
                      floats(3, 8),
                      ints(0, 3),
                      new Ops.Heads(3, 2, 2))));
      refused(
          "scatter_add d: F32[2, 3], expected F32[2, 2]",
          () -> o.scatterAdd(floats(3, 2), floats(2, 3), ints(0, 1)));
      Tensor keys = memory.allocate("keys", DType.I64, 1);
      refused(
          "dropout keys: I64[1], expected I64[2]",
          () -> o.dropout(floats(2, 3), floats(2, 3), keys, 0, 0.1f, false));
      refused(
          "dropout y: F32[2, 3], expected F32[1, 3]",
          () -> o.dropout(floats(2, 3), floats(1, 3), keys, 0, 0.1f, false));
      refused(
          "dropout p: 1.0, expected at least 0 and below 1",
          () -> o.dropout(floats(1, 3), floats(1, 3), keys, 0, 1, false));
      refused("swiglu gu", () -> o.swigluForward(floats(2, 3), floats(2, 5)));
      refused("adamw m", () -> o.adamw(step(floats(2), 1)));
      refused("steps count from 1", () -> o.adamw(step(floats(3), 0)));
      refused("expected F32", () -> o.sumSquares(memory.allocate("d", DType.F64, 3)));
      Tensor prefix = memory.allocate("prefix", DType.I64, 2);
      prefix.set(1, 1);
      var queries = new Queries(ints(0), ints(0, 2), ints(0, 2), prefix, null, floats(5));
      var attention = new Attention(null, floats(3, 2), floats(3, 8), ints(0, 3), heads);
      refused(
          "queries p: F32[5], expected F32[4]",
          () -> o.attentionCapture(new AttentionRows(attention, queries)));
    }
  }

  /** Indices are looked at by the library. */
  @Test
  void indicesThatDoNotFit() {
    var heads = new Ops.Heads(2, 1, 2);
    failed(
        "sk_embedding_bwd: tokens[0] is -2, outside [-1, 5)",
        () -> ops.embeddingBackward(floats(5, 3), ints(-2), floats(1, 3)));
    failed(
        "sk_rope_fwd: positions[0] is 4, outside [0, 4)",
        () -> ops.ropeForward(floats(1, 8), ints(4), floats(4, 1), floats(4, 1), heads));
    failed(
        "sk_gather: rows[0] is 3, outside [-1, 3)",
        () -> ops.gather(floats(1, 2), floats(3, 2), ints(3)));
    failed(
        "sk_scatter: rows[1] is 0 after 1: not ascending",
        () -> ops.scatter(floats(3, 2), floats(2, 2), ints(1, 0)));
    failed(
        "sk_attention_fwd: cu_seqlens[1] is 2, not N, which is 3",
        () ->
            ops.attentionForward(
                new Attention(floats(3, 4), floats(3, 2), floats(3, 8), ints(0, 2), heads)));
    capture("pos of a sequence[1] is 3, outside [0, 3)", ints(0), ints(0, 3), 1, floats(5));
    capture("heads[0] is 2, outside [0, 2)", ints(2), ints(0, 2), 1, floats(4));
    capture("prefix[1] is 1, not 2", ints(0), ints(1, 2), 1, floats(4));
  }

  private void capture(String message, Tensor heads, Tensor pos, int second, Tensor p) {
    Tensor prefix = memory.allocate("prefix", DType.I64, 2);
    prefix.set(1, second);
    var attention =
        new Attention(null, floats(3, 2), floats(3, 8), ints(0, 3), new Ops.Heads(2, 1, 2));
    var queries = new Queries(heads, ints(0, 2), pos, prefix, null, p);
    failed(
        "sk_attention_capture: queries." + message,
        () -> ops.attentionCapture(new AttentionRows(attention, queries)));
  }

  private static void failed(
      String message, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    var failure = catchThrowableOfType(Failure.class, call);
    assertThat(failure).hasMessage(message);
    assertThat(failure.exit).isEqualTo(Exit.INTERNAL);
  }

  private static void refused(
      String message, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void notFiniteComesThroughSums() {
    Tensor x = floats(130);
    x.set(70, Double.NaN);
    assertThat(ops.sumSquares(x)).isNaN();
    x.set(70, Double.NEGATIVE_INFINITY);
    assertThat(ops.sumSquares(x)).isEqualTo(Double.POSITIVE_INFINITY);
  }

  @Test
  void closedTwiceIsClosedOnce() {
    var other = Kernels.open(2, "scalar");
    assertThat(other.isa()).isEqualTo("scalar");
    other.close();
    other.close();
    assertThatThrownBy(() -> other.zero(floats(1))).isInstanceOf(IllegalStateException.class);
  }

  private static RunSettings run(Backend backend, Floats dtype, String isa) {
    var settings =
        List.of("run.backend=" + backend, "run.dtype=" + dtype, "run.threads=2", "run.isa=" + isa);
    return ConfigReader.read(List.of(), settings).run();
  }

  /** Who multiplies bfloat16 follows from CPU and instruction set, and is told. */
  @Test
  void whoMultipliesBfloat16() {
    for (String isa : Kernels.isas()) {
      try (Ops o = Backends.open(run(Backend.cpu, Floats.bf16, isa))) {
        assertThat(o.dtype()).isEqualTo(DType.BF16);
        if (isa.equals("avx512") && Kernels.multipliesBf16())
          assertThat(o.description()).contains("GEMM: bf16 (A");
        else
          assertThat(o.description())
              .containsPattern("GEMM: bf16 made f32, by oneDNN .*: run.dtype=f32 is faster");
      }
      for (String by : List.of("amx", "vdpbf16", "sgemm")) {
        if (Kernels.multipliers(isa).contains(by)) Kernels.open(DType.BF16, by, 1, isa).close();
        else {
          var failure =
              catchThrowableOfType(
                  Failure.class, () -> Kernels.open(DType.BF16, by, 1, isa).close());
          assertThat(failure.exit).isEqualTo(Exit.BACKEND);
          assertThat(failure).hasMessageStartingWith("sk_multiply_by: " + by);
        }
      }
    }
  }

  @Test
  void backendsSayWhatTheyAre() {
    for (Backend b : Backend.values()) {
      var run = run(b, Floats.f32, "auto");
      try (Ops o = Backends.open(run)) {
        assertThat(o.dtype()).isEqualTo(DType.F32);
        if (b == Backend.reference) assertThat(o.description()).startsWith("reference");
        else if (b == Backend.cuda)
          assertThat(o.description()).endsWith(", libseekr_cuda.so: f32; GEMM: cuBLAS");
        else {
          assertThat(o.description())
              .matches("libseekr_cpu\\.so: (avx512|avx2|scalar), 2 threads; GEMM: oneDNN .*");
          if (b == Backend.auto)
            assertThat(o.description()).containsPattern("; chosen because (there is no|a GPU is)");
        }
      }
    }
  }
}
