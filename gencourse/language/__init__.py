"""Models of text: recurrent networks and GPT, the tokens they read, and what they write."""

from gencourse.language.beam_search import beam_search as beam_search
from gencourse.language.bpe_tokenizer import BPETokenizer as BPETokenizer
from gencourse.language.char_rnn import CharRNN as CharRNN
from gencourse.language.char_tokenizer import CharTokenizer as CharTokenizer
from gencourse.language.fine_tuned_gpt import FineTunedGPT as FineTunedGPT
from gencourse.language.gpt import GPT as GPT
from gencourse.language.text_generator import TextGenerator as TextGenerator
