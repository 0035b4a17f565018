"""Draw me a sheep: the DCGAN of the Fidle course. make.py makes the notebooks."""

# %% [markdown] en
r"""
# Draw me a sheep, with a DCGAN

*Quick, Draw!* asked people to draw a sheep in twenty seconds. Here a generator learns to draw one from their drawings. The nets
are those of the Fidle course's notebook: upsampling and convolution for transposed convolution, dropout in D; the loop is
hidden in `fit`.

**At the end you can**
- say what `fit` of a GAN does in one step, and for which net each optimiser is;
- read its history and its pictures, save it, load it again, and make new images;
- say what upsampling, rates and dropout change.

**You need** the notebook `lab`, or to know what a GAN's training step is; `pip install "faussaire[notebook,plot]"`.

**Plan**

| | | minutes |
| --- | --- | ---: |
| Steps 1, 2 | parameters, data | 10 |
| Steps 3, 4 | the networks | 15 |
| Step 5 | the DCGAN and its optimisers | 5 |
| Step 6 | training; questions meanwhile | 10 of training |
| Steps 7, 8 | history, pictures; save, reload, generate | 10 |
"""

# %% [markdown] en gaps
"""
Where a cell says `TO DO`, replace `...` by your code. A check follows; it says in one line what is missing.
"""

# %% [markdown] fr
r"""
# Dessine-moi un mouton, avec un DCGAN

*Quick, Draw!* a demandé à des gens de dessiner un mouton en vingt secondes. Ici, un générateur apprend à en dessiner d'après
leurs dessins. Les réseaux sont ceux du notebook de la formation Fidle : suréchantillonnage puis convolution au lieu d'une
convolution transposée, dropout dans D ; la boucle est cachée dans `fit`.

**À la fin, vous saurez**
- dire ce que fait le `fit` d'un GAN en un pas, et à quel réseau sert chaque optimiseur ;
- lire son historique et ses images, l'enregistrer, le recharger, et fabriquer de nouvelles images ;
- dire ce que changent le suréchantillonnage, les taux d'apprentissage et le dropout.

**Il faut** avoir fait le notebook `lab`, ou savoir ce qu'est un pas d'entraînement d'un GAN ;
`pip install "faussaire[notebook,plot]"`.

**Plan de la séance**

| | | minutes |
| --- | --- | ---: |
| Étapes 1, 2 | paramètres, données | 10 |
| Étapes 3, 4 | les réseaux | 15 |
| Étape 5 | le DCGAN et ses optimiseurs | 5 |
| Étape 6 | l'entraînement ; questions pendant ce temps | 10 de calcul |
| Étapes 7, 8 | historique, images ; enregistrer, recharger, générer | 10 |
"""

# %% [markdown] fr gaps
"""
Là où une cellule dit `À COMPLÉTER`, remplacez `...` par votre code. La vérification qui suit dit en une ligne ce qui manque.
"""

# %%
import faussaire as fa
import numpy as np
from faussaire import layers

# %% [markdown] en
"""
## Step 1. Parameters

On two cores of a laptop without AVX-512: 6,000 drawings and 10 epochs take 10 minutes. All 126,000 drawings and 10 epochs, the
notebook's full scale, take 3 hours and a half.
"""

# %% [markdown] fr
"""
## Étape 1. Les paramètres

Sur deux cœurs d'un portable sans AVX-512 : 6 000 dessins et 10 époques prennent 10 minutes. Les 126 000 dessins et 10 époques,
le notebook à pleine échelle, prennent trois heures et demie.
"""

# %% parameters
# en: fetched on first use (94 MB); a .npy file of your own also does; "strokes" needs
# en: no download.
# fr: téléchargé la première fois (94 Mo) ; un fichier .npy à vous convient aussi ; «
# fr: strokes » se passe de téléchargement.
source = "quickdraw:sheep"
images = 6_000
epochs = 10
batch_size = 32
latent_dim = 128
# en: images in each epoch's strip
# fr: images dans la bande de chaque époque
num_img = 12
seed = 0

# %% include _helpers.py folded

# %% [markdown] en
"""
## Step 2. The drawings
"""

# %% [markdown] fr
"""
## Étape 2. Les dessins
"""

# %%
x_data = fa.load_data(source, count=images).numpy()
rng = np.random.default_rng(seed)
print(x_data.shape, x_data.dtype)
picture(x_data[:36] / 255, columns=12)

# %% [markdown] en
"""
Bytes stay bytes: `fit` takes them as they are, and scales each batch to [0, 1]. `x_data / 255`, as many notebooks have it, works
too, but holds eight bytes per pixel: 791 MB for all the sheep.

## Step 3. The discriminator

Three convolutions 4x4 of stride 2 with 64, 128 and 128 filters and `padding="same"`, each followed by LeakyReLU 0.2; flatten;
dropout 0.2; one sigmoid.
"""

# %% [markdown] fr
"""
Les octets restent des octets : `fit` les prend tels quels et ramène chaque lot à [0, 1]. `x_data / 255`, comme dans beaucoup de
notebooks, marche aussi, mais prend huit octets par pixel : 791 Mo pour tous les moutons.

## Étape 3. Le discriminateur

Trois convolutions 4x4 de pas 2 à 64, 128 et 128 filtres, avec `padding="same"`, chacune suivie de LeakyReLU 0,2 ; mise à plat ;
dropout 0,2 ; une sigmoïde.
"""

# %%
# [gap]
# en: TO DO: begin with fa.Input((28, 28, 1))
# fr: À COMPLÉTER : commencer par fa.Input((28, 28, 1))
# | discriminator = ...
# [solution]
discriminator = fa.Sequential(
    [
        fa.Input((28, 28, 1)),
        layers.Conv2D(64, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(128, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(128, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(1, activation="sigmoid"),
    ]
)
# [end]

# %% check
done(3, discriminator=discriminator)
# [en]
equal("output of D:", discriminator.output_shape[-1:], (1,))
equal(
    "parameters of D:",
    discriminator.count_params(),
    396_609,
    "Filters 64, 128, 128? Three strides of 2?",
)
# [fr]
equal("sortie de D :", discriminator.output_shape[-1:], (1,))
equal(
    "paramètres de D :",
    discriminator.count_params(),
    396_609,
    "Filtres 64, 128, 128 ? Trois pas de 2 ?",
)
# [all]
discriminator.summary()

# %% [markdown] en
"""
## Step 4. The generator

A dense layer to 7·7·64, reshape to 7 x 7 x 64; then twice: upsampling by 2, and a convolution 3x3 with relu (128, then 256
filters); at last a convolution 5x5 to one channel with sigmoid. Upsampling and convolution leave no checkerboard, which a
transposed convolution easily does (Odena et al. 2016).
"""

# %% [markdown] fr
"""
## Étape 4. Le générateur

Une couche dense vers 7·7·64, remise en forme 7 x 7 x 64 ; puis deux fois : suréchantillonnage par 2 et convolution 3x3 avec relu
(128, puis 256 filtres) ; enfin une convolution 5x5 vers un canal, avec sigmoïde. Le suréchantillonnage suivi d'une convolution ne
laisse pas de damier, ce qu'une convolution transposée fait facilement (Odena et al. 2016).
"""

# %%
# [gap]
# en: TO DO: begin with fa.Input((latent_dim,))
# fr: À COMPLÉTER : commencer par fa.Input((latent_dim,))
# | generator = ...
# [solution]
generator = fa.Sequential(
    [
        fa.Input((latent_dim,)),
        layers.Dense(7 * 7 * 64),
        layers.Reshape((7, 7, 64)),
        layers.UpSampling2D(),
        layers.Conv2D(128, 3, padding="same", activation="relu"),
        layers.UpSampling2D(),
        layers.Conv2D(256, 3, padding="same", activation="relu"),
        layers.Conv2D(1, 5, padding="same", activation="sigmoid"),
    ]
)
# [end]

# %% check
done(4, generator=generator)
# [en]
equal("output of G:", generator.output_shape[-3:], (28, 28, 1), "Twice doubled: 7, 14, 28.")
equal(
    "parameters of G:",
    generator.count_params(),
    779_969,
    "Filters 128, 256, 1? Sizes 3x3, 3x3, 5x5?",
)
# [fr]
equal("sortie de G :", generator.output_shape[-3:], (28, 28, 1), "Doublée deux fois : 7, 14, 28.")
equal(
    "paramètres de G :",
    generator.count_params(),
    779_969,
    "Filtres 128, 256, 1 ? Tailles 3x3, 3x3, 5x5 ?",
)
# [all]
generator.summary()

# %% [markdown] en
"""
Before any training D knows nothing: it answers 0.5 to everything, and its cross-entropy is ln 2 = 0.693. Compute it for some
drawings and some generated images: the mean of $-\\ln D(x)$ over the real ones and of $-\\ln(1 - D(x))$ over the generated ones.
"""

# %% [markdown] fr
"""
Avant tout entraînement, D ne sait rien : il répond 0,5 à tout, et son entropie croisée vaut ln 2 = 0,693. Calculez-la sur quelques
dessins et quelques images générées : la moyenne de $-\\ln D(x)$ sur les vrais et de $-\\ln(1 - D(x))$ sur les générées.
"""

# %%
on_real = discriminator.predict_on_batch(x_data[:64] / 255)
on_fake = discriminator.predict_on_batch(
    generator.predict_on_batch(rng.normal(size=(64, latent_dim)))
)
# [gap]
# en: TO DO: with np.log and np.mean
# fr: À COMPLÉTER : avec np.log et np.mean
# | first_loss = ...
# [solution]
first_loss = (np.mean(-np.log(on_real)) + np.mean(-np.log(1 - on_fake))) / 2
# [end]

# %% check
done(4, first_loss=first_loss)
# [en]
near("loss of D before training:", float(first_loss), 0.693, 0.1, "The mean over both kinds.")
# [fr]
near(
    "perte de D avant l'entraînement :",
    float(first_loss),
    0.693,
    0.1,
    "La moyenne sur les deux sortes.",
)
# [all]

# %% [markdown] en
r"""
## Step 5. The DCGAN and its optimisers

One optimiser for each net. The course's notebook has Adam with 1e-4 and beta1 0.9 for both. On few drawings that often ends in
black images: D is soon right on everything, and G's sigmoid saturates. With 4e-4 for G, 1e-4 for D and beta1 0.5 both stay
in balance; take these.
"""

# %% [markdown] en solution
"""
In Keras the class is the notebook's own, and so is its loop:

```python
gan = DCGAN(discriminator=discriminator, generator=generator, latent_dim=latent_dim)
gan.compile(discriminator_optimizer=keras.optimizers.Adam(learning_rate=1e-4),
            generator_optimizer=keras.optimizers.Adam(learning_rate=1e-4),
            loss_function=keras.losses.BinaryCrossentropy())
history = gan.fit(x_data, epochs=epochs, batch_size=batch_size, callbacks=[images])
```

Three of its habits: the label 1 stands for *generated*; its `train_step` calls D without `training=True`, so that Keras leaves
the dropout out of the whole training; D's labels get a noise of up to 0.05. The preset `fidle-notebook` has all of them.
"""

# %% [markdown] fr
r"""
## Étape 5. Le DCGAN et ses optimiseurs

Un optimiseur pour chaque réseau. Le notebook de la formation prend Adam avec 1e-4 et beta1 = 0,9 pour les deux. Avec peu de
dessins, cela finit souvent en images noires : D a vite raison sur tout, et la sigmoïde de G sature. Avec 4e-4 pour G, 1e-4 pour
D et beta1 = 0,5, les deux restent en équilibre ; prenez ces valeurs.
"""

# %% [markdown] fr solution
"""
Avec Keras, la classe est celle du notebook, et sa boucle aussi :

```python
gan = DCGAN(discriminator=discriminator, generator=generator, latent_dim=latent_dim)
gan.compile(discriminator_optimizer=keras.optimizers.Adam(learning_rate=1e-4),
            generator_optimizer=keras.optimizers.Adam(learning_rate=1e-4),
            loss_function=keras.losses.BinaryCrossentropy())
history = gan.fit(x_data, epochs=epochs, batch_size=batch_size, callbacks=[images])
```

Trois de ses habitudes : l'étiquette 1 veut dire *générée* ; son `train_step` appelle D sans `training=True`, si bien que Keras
laisse le dropout inactif pendant tout l'entraînement ; les étiquettes de D reçoivent un bruit allant jusqu'à 0,05. La recette
`fidle-notebook` les a toutes.
"""

# %%
# [gap]
# en: TO DO: fa.DCGAN(...) of both nets, then gan.compile(discriminator_optimizer=...,
# en: generator_optimizer=...)
# fr: À COMPLÉTER : fa.DCGAN(...) avec les deux réseaux, puis
# fr: gan.compile(discriminator_optimizer=..., generator_optimizer=...)
# | gan = ...
# [solution]
gan = fa.DCGAN(discriminator=discriminator, generator=generator, latent_dim=latent_dim)
gan.compile(
    discriminator_optimizer=fa.optimizers.Adam(1e-4, beta_1=0.5),
    generator_optimizer=fa.optimizers.Adam(4e-4, beta_1=0.5),
)
# [end]

# %% check
done(5, gan=gan)
# [en]
equal("rate of D:", gan.recipe["discriminator.adam.learning_rate"], 1e-4, "Call gan.compile.")
equal("rate of G:", gan.recipe["generator.adam.learning_rate"], 4e-4, "Call gan.compile.")
# [fr]
equal("taux de D :", gan.recipe["discriminator.adam.learning_rate"], 1e-4, "Appelez gan.compile.")
equal("taux de G :", gan.recipe["generator.adam.learning_rate"], 4e-4, "Appelez gan.compile.")
# [all]

# %% [markdown] en
"""
## Step 6. Train

`Images` shows a sheet per epoch, redrawn in place. `Strips` is a callback of our own: it keeps twelve images per epoch, always from
the same codes. The stop button ends the training after the current step, and what was learnt stays.
"""

# %% [markdown] fr
"""
## Étape 6. Entraîner

`Images` montre une planche par époque, redessinée sur place. `Strips` est un callback à nous : il garde douze images par époque,
toujours à partir des mêmes codes latents. Le bouton d'arrêt termine l'entraînement après le pas en cours, et ce qui est appris
reste.
"""


# %%
class Strips(fa.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.z = rng.normal(size=(num_img, latent_dim))
        self.images = []

    def on_epoch_end(self, epoch, logs=None):
        self.images.append(self.model.predict(self.z))


strips = Strips()
# [gap]
# en: TO DO: gan.fit of x_data with epochs, batch_size, and
# en: callbacks=[fa.callbacks.Images(), strips]
# fr: À COMPLÉTER : gan.fit sur x_data avec epochs, batch_size et
# fr: callbacks=[fa.callbacks.Images(), strips]
# | history = ...
# [solution]
history = gan.fit(
    x_data, epochs=epochs, batch_size=batch_size, callbacks=[fa.callbacks.Images(), strips]
)
# [end]

# %% check
done(6, history=history)
# [en]
equal("epochs in the history:", len(history.history["d_loss"]), epochs)
equal("strips kept:", len(strips.images), epochs, "Give `strips` to callbacks.")
# [fr]
equal("époques dans l'historique :", len(history.history["d_loss"]), epochs)
equal("bandes gardées :", len(strips.images), epochs, "Donnez `strips` à callbacks.")
# [all]

# %% [markdown] en
"""
**What to expect.** After 24 passes over 1,000 drawings (744 steps), after three passes over 8,000 (750 steps), and after five
passes over 117,555 (18,365 steps):

![Round bodies with legs, heads rarely](pictures/sheep-744.png)

![Sheep with bodies, legs and heads](pictures/sheep-750.png)

![Sheep with clear outlines](pictures/sheep-18365.png)

## Step 7. History and pictures
"""

# %% [markdown] fr
"""
**À quoi s'attendre.** Après 24 passages sur 1 000 dessins (744 pas), après trois passages sur 8 000 (750 pas) et après cinq
passages sur 117 555 (18 365 pas) :

![Des corps ronds avec des pattes, rarement une tête](pictures/sheep-744.png)

![Des moutons avec corps, pattes et tête](pictures/sheep-750.png)

![Des moutons aux contours nets](pictures/sheep-18365.png)

## Étape 7. Historique et images
"""

# %%
axes = history.plot()
# [fr]
axes.set(xlabel="époque", ylabel="perte")
legend = axes.legend(["discriminateur", "générateur"])
# [all]

# %%
# en: One row per epoch; the same code in each column.
# fr: Une ligne par époque ; le même code latent dans chaque colonne.
montage = picture(np.concatenate(strips.images), columns=num_img)
montage.save("montage.png")
montage

# %% [markdown] en
"""
## Step 8. Save, load, generate

A saved model is a folder with everything that the next step depends on; the command `faussaire` and the studio open it too. Load it
into a new object, and draw 180 images.
"""

# %% [markdown] fr
"""
## Étape 8. Enregistrer, recharger, générer

Un modèle enregistré est un dossier avec tout ce dont dépend le pas suivant ; la commande `faussaire` et le studio l'ouvrent aussi.
Rechargez-le dans un nouvel objet et tirez 180 images.
"""

# %%
gan.save("sheep")
# [gap]
# en: TO DO: fa.DCGAN.load, a z of 180 codes, predict
# fr: À COMPLÉTER : fa.DCGAN.load, un z de 180 codes latents, predict
# | loaded = ...
# | drawn = ...
# [solution]
loaded = fa.DCGAN.load("sheep")
drawn = loaded.predict(rng.normal(size=(180, latent_dim)))
# [end]

# %% check
done(8, loaded=loaded, drawn=drawn)
# [en]
equal("shape:", drawn.shape, (180, 28, 28, 1))
equal("loaded as saved:", np.array_equal(loaded.predict(strips.z), gan.predict(strips.z)), True)
# [fr]
equal("forme :", drawn.shape, (180, 28, 28, 1))
equal("rechargé tel quel :", np.array_equal(loaded.predict(strips.z), gan.predict(strips.z)), True)
# [all]
picture(drawn, columns=15)

# %% [markdown] en
"""
## Questions

1. Why do both nets need an optimiser of their own?
2. Give D the notebook's rates (1e-4, beta1 0.9, for both) and train anew. Watch D's accuracy in the history. What happens, and when?
3. Replace upsampling and convolution by `Conv2DTranspose(…, 4, strides=2)`. What do you see in the images of the first epochs?
4. Take the dropout out of D. Does the history change? What is dropout in D for?
5. `gan.predict` draws from an average of G over the last steps. Why is that steadier than G itself?
"""

# %% [markdown] fr
"""
## Questions

1. Pourquoi faut-il à chaque réseau son propre optimiseur ?
2. Donner aux deux réseaux les taux du notebook (1e-4, beta1 = 0,9) et recommencer. Suivre le taux de bonnes réponses de D dans
   l'historique. Que se passe-t-il, et quand ?
3. Remplacer suréchantillonnage et convolution par `Conv2DTranspose(…, 4, strides=2)`. Que voit-on dans les images des premières
   époques ?
4. Enlever le dropout de D. L'historique change-t-il ? À quoi sert le dropout dans D ?
5. `gan.predict` utilise une moyenne de G sur les derniers pas. Pourquoi est-elle plus stable que G lui-même ?
"""

# %% [markdown] en solution
"""
### Answers

1. Adam keeps moments per weight, and the two steps pull in opposite directions: one net's update must not touch the other's weights.
2. On few drawings D is right on everything after some hundred steps, its loss goes to 0, G's rises, and G's images turn black: its
   sigmoid is saturated and lets no gradient through. With all the drawings it takes longer, and may not happen.
3. A checkerboard: where the kernel's windows overlap, pixels get more than their neighbours.
4. With dropout D is a little worse and less sure: its loss is higher and G's lower. It keeps D from learning few drawings by heart.
5. G moves to and fro as it follows D; the average takes the middle of that motion.
"""

# %% [markdown] fr solution
"""
### Réponses

1. Adam garde des moments pour chaque poids, et les deux pas tirent en sens contraire : la mise à jour d'un réseau ne doit pas toucher
   aux poids de l'autre.
2. Avec peu de dessins, D a raison sur tout après quelques centaines de pas, sa perte va vers 0, celle de G monte, et les images
   deviennent noires : la sigmoïde de G est saturée et ne laisse plus passer de gradient. Avec tous les dessins, cela prend plus
   longtemps, ou n'arrive pas.
3. Un damier : là où les fenêtres du noyau se recouvrent, les pixels reçoivent plus que leurs voisins.
4. Avec dropout, D est un peu moins bon et moins sûr : sa perte est plus haute, celle de G plus basse. Cela l'empêche d'apprendre par
   cœur quelques dessins.
5. G va et vient en suivant D ; la moyenne prend le milieu de ce mouvement.
"""

# %% [markdown] en
"""
The sequel: `sheep_wgan_gp`, the same sheep with a critic in place of the expert.
"""

# %% [markdown] fr
"""
La suite : `sheep_wgan_gp`, les mêmes moutons avec un critique à la place de l'expert.
"""
