"""GPT-2 in plain PyTorch, written from the formulas, to compare the program's training with.

Parameters have the names of our checkpoints. Nothing is fused and nothing is shared with the
program: attention is a softmax over a masked matrix, the logits are one matrix.
"""

import math

import torch
from torch import nn


def layer_norm(x, weight, bias, eps=1e-5):
    centered = x - x.mean(-1, keepdim=True)
    variance = centered.square().mean(-1, keepdim=True)
    return centered / torch.sqrt(variance + eps) * weight + bias


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


class Affine(nn.Module):
    """weight and bias: of a linear map [out, in], or of a layer norm [d]."""

    def __init__(self, *shape):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))
        self.bias = nn.Parameter(torch.zeros(shape[0]))

    def linear(self, x):
        return x @ self.weight.T + self.bias

    def norm(self, x):
        return layer_norm(x, self.weight, self.bias)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = Affine(3 * width, width)
        self.output = Affine(width, width)

    def forward(self, x):
        length, width = x.shape[1:]
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, H, T, D]
                             for part in self.qkv.linear(x).split(width, dim=-1))
        scores = query @ key.transpose(-1, -2) / math.sqrt(width // self.heads)
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        mixed = scores.masked_fill(future, -math.inf).softmax(-1) @ value
        return self.output.linear(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = Affine(4 * width, width)
        self.down = Affine(width, 4 * width)

    def forward(self, x):
        return self.down.linear(gelu_tanh(self.up.linear(x)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention_norm = Affine(width)
        self.attention = Attention(width, heads)
        self.ffn_norm = Affine(width)
        self.ffn = FeedForward(width)

    def forward(self, x):
        x = x + self.attention(self.attention_norm.norm(x))
        return x + self.ffn(self.ffn_norm.norm(x))


class Embeddings(nn.Module):
    def __init__(self, vocab_rows, length, width):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(vocab_rows, width))
        self.position = nn.Parameter(torch.zeros(length, width))

    def forward(self, inputs):
        return self.token[inputs] + self.position[: inputs.shape[1]]


class Stack(nn.Module):
    def __init__(self, layers, width, heads):
        super().__init__()
        self.layers = layers
        for layer in range(layers):
            setattr(self, f"block{layer}", Block(width, heads))
        self.final_norm = Affine(width)

    def forward(self, x):
        for layer in range(self.layers):
            x = getattr(self, f"block{layer}")(x)
        return self.final_norm.norm(x)


class Gpt2(nn.Module):
    """`vocab_size` of the `vocab_rows` rows of the token table can be predicted."""

    def __init__(self, layers, width, heads, length, vocab_size, vocab_rows):
        super().__init__()
        self.vocab_size = vocab_size
        self.embeddings = Embeddings(vocab_rows, length, width)
        self.stack = Stack(layers, width, heads)

    def loss(self, inputs, targets):
        """Mean over all positions of -log p(target); both [B, T]."""
        logits = self.stack(self.embeddings(inputs)) @ self.embeddings.token[: self.vocab_size].T
        chosen = logits.gather(-1, targets[..., None])[..., 0]
        return (logits.logsumexp(-1) - chosen).mean()
