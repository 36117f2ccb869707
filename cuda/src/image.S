/* A module, the fatbin of one source, and its address in the list of all of them (context.cpp); without nvcc one that is empty. */
  .section .rodata
  .balign 16
image:
#ifdef SK_IMAGE
  .incbin SK_IMAGE
#else
  .byte 0
#endif
  .section seekr_images,"aw",@progbits
  .balign 8
  .quad image
  .section .note.GNU-stack,"",@progbits
