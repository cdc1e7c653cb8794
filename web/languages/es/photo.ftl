photo = Foto
photo-choose = Elegir una foto
photo-take = Hacer una foto
photo-remove = Quitar la foto
photo-none = Aún no hay foto
photo-many = Muchas fotos
photo-folder = Una carpeta
photo-back-to-table =
    { $n-files ->
        [one] Volver a la tabla de { $n-files } foto
       *[other] Volver a la tabla de { $n-files } fotos
    }
photo-other-ways = También puede soltar o pegar fotos o una carpeta en cualquier lugar de esta página.
photo-samples = O pruebe un ejemplo dibujado:
photo-see-answers = Ver las respuestas
photo-see-error = Ver el problema
photo-drop = Suelte fotos o una carpeta
photo-chosen = La foto elegida, { $name }

sample = Ejemplo: { $shows }
sample-spot = una mancha marrón redonda
sample-lesion = una lesión oscura irregular
sample-plaque = una placa con escamas

photo-dark = La foto está oscura. Hágala otra vez con luz de día o con más luz.
photo-blurred = La foto parece borrosa. Hágala otra vez con la mano firme o desde un poco más lejos.
photo-few-pixels = Esta parte de la foto tiene pocos píxeles. Haga la foto otra vez desde más cerca.

crop-begin = Encuadrar la lesión
crop-size = Tamaño del cuadrado
crop-smaller = Cuadrado más pequeño
crop-larger = Cuadrado más grande
crop-whole = Foto entera
crop-hint = Arrastre el cuadrado o una esquina, o pellizque.
crop-keys = Con el ratón: la rueda. Con el teclado: flechas, + y −; Escape para la foto entera.
crop-square = El cuadrado que mira el modelo
crop-in-words = Un cuadrado de { $n-side } × { $n-side } de los { $n-width } × { $n-height } píxeles de la foto, a { $n-left } del borde izquierdo y a { $n-top } del superior.
seen-of-photo = Lo que el modelo ve de la foto: { $n-side } × { $n-side } píxeles.
seen-of-square = Lo que el modelo ve de este cuadrado: { $n-side } × { $n-side } píxeles.

server = Calcular en el servidor
server-hint = Para dispositivos lentos. La foto sale entonces de este dispositivo: los píxeles que el modelo necesita, un pequeño cuadrado sin metadatos, se envían a { $server }.
