package dev.seekr.config;

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
  agem,
  derpp,
  seekr,
  mtl
}
